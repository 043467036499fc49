"""This package runs everything embedded: broker, Genesys emulator, AWS emulator and a worker, and keeps the books."""
