"""``python -m crtransport``."""

from crtransport.cli import main

if __name__ == "__main__":
    main()
