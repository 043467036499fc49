"""This package holds the application's furniture: settings, app, topics, tables, views and commands."""
