"""The application. Qt lives in `app.gui` alone."""

__version__ = "0.1.0"
