"""This package puts events on buses: lanes of requests, the direct and the whole client, the custom bus."""
