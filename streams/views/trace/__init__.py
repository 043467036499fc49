"""This package serves the page of traces and gaps: the story of an event, and what was missed of the source."""
