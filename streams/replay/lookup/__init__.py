"""This package looks events up in the topics, the newest first: one and its story, the last ones, what a draft does."""
