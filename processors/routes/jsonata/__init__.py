"""This package runs JSONata: its engines, our functions in it, and where a text or an evaluation is at fault."""
