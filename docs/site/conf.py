"""The site, for Sphinx. ``python -m docs.site`` builds it.

The whole repository is its source, so that a link means the same here as where the repository is
shown: ``../README.md`` of a page is that page, and a file that is no page becomes one (``files``).
"""

project = "Onegate"
html_title = "Onegate"
extensions = ["myst_parser", "docs.site.files", "docs.site.grid"]

source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "docs/site/contents"
include_patterns = ["*.md", "*/*.md", "docs/**/*.md", "tests/**/*.md", "docs/site/contents.rst"]
exclude_patterns = [".*", "**/.*", "build"]

# Markdown as it is shown elsewhere: no syntax of its own, names of headings as GitHub makes them.
myst_disable_syntax = ["myst_role", "myst_target", "myst_line_comment", "myst_block_break"]
myst_heading_anchors = 6
smartquotes = False
# A sample need not be valid in its language: the .http files of try.md are not HTTP.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}
html_baseurl = ""
html_copy_source = False
html_use_index = False
html_show_copyright = False
html_static_path = ["static"]
html_favicon = "static/favicon.svg"
html_css_files = ["site.css"]
templates_path = ["templates"]
pygments_style = "friendly"
pygments_dark_style = "monokai"
