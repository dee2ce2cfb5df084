"""The report: one offline HTML file. `page.write_report` is the way in."""
