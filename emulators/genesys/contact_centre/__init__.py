"""This package is the contact centre behind the API: queues, conversations, and what analytics tells of them."""
