"""This module runs the quick benchmark of the process stage; the longer ones are run by name.

`python -m bench` · `python -m bench.memory` (needs real Kafka) · `python -m bench.soak` (notifications, minutes)
"""

from bench.process import main

if __name__ == "__main__":
    main()
