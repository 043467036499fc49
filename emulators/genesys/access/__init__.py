"""This package lets a caller in: tokens, permissions, rate limits, and the bodies of refusals."""
