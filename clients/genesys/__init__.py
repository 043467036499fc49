"""This package speaks to Genesys Cloud: login, REST, the HTTP event stream and the notification sockets.

Start from `GenesysRest` (rest.py); `SubscriptionStream` (stream.py) and `NotificationSource`
(notifications.py) are the two sources. Secrets, tokens and channel ids never reach a log, a repr or an
exception.
"""
