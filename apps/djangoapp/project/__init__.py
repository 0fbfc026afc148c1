"""The Django project: settings, URLs and views. No database and no apps."""
