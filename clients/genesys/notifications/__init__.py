"""This package is the notification source: channels, their sockets, successors and gaps."""
