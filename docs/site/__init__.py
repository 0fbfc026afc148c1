"""The site made of the manual: ``python -m docs.site`` builds it into ``build/site``."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
