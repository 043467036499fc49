"""This package speaks to Genesys Cloud: login, REST, the HTTP event stream and the notification sockets.

Start from `GenesysRest` (rest/client.py); `SubscriptionStream` (subscription.py) and `NotificationSource`
(notifications/source.py) are the two sources. Secrets, tokens and channel ids never reach a log, a repr or an
exception.
"""
