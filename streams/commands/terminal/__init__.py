"""This package is what the commands share: options, the screen, and how Ctrl-C stops one."""
