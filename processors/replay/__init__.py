"""This package is what an operator means: a moment, a selection, a redrive, two outcomes compared."""
