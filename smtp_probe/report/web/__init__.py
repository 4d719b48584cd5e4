"""The pages that people look at, and the same facts as JSON.

- `views`: the facts that a page shows and the API gives: one set for both.
- `overview`, `route_view`, `probe_view`, `checked`: how each view is made.
- `instants`, `plots`, `waterfall`: times in words, and drawings in SVG.
- `rendering`: the template engine, its filters, the content security policy.
- `site`: the paths of the pages; `api`, `openapi`, `badge`, `feed`, `live`, `masked`: the other answers.
"""
