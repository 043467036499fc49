"""This package calls AWS: one attempt a call; who retries says so itself."""
