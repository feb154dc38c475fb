"""The Lambda functions of the platform, each a package that runs without the rest of the program."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
"""Where the code lies, also when the program was started from a copy that links here."""
