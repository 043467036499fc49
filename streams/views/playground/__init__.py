"""This package serves the page of the routes: what they are, how much they take, and texts of them being tried."""
