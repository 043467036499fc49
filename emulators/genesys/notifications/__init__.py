"""This package is the Notifications API: channels, their topics, sockets and frames."""
