"""The document behind a service definition (WSD): read leniently, written in one form."""
