"""This package is the pipeline on Faust: the app, its topics and tables, and a room for each concern."""
