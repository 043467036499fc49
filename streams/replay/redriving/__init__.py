"""This package takes failures back: which record of each event, what it becomes, what came of it, what went before."""
