"""This package is what the commands replay and redrive are made of: what was asked, where it resumes, reports."""
