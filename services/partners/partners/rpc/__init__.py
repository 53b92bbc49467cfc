"""The contract's calls: proto ⇄ commands and queries; no rules here."""
