"""Names that came from outside: labels to show, and names of files that mean nothing to a file system but a name."""

import unicodedata

LABEL_LIMIT, FILE_LIMIT = 256, 60
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Kinds of signs that are not seen, or turn the text around them."""


def label(text: str, limit: int = LABEL_LIMIT) -> str:
    """A text as it may be shown: composed, without signs that are not seen, not too long.

    Example:
        >>> label("a\\u202eb\\x00c" + "d" * 300, 5)
        'abcdd'
    """
    composed = unicodedata.normalize("NFC", text[: 4 * limit])
    return "".join(sign for sign in composed if unicodedata.category(sign) not in HIDDEN).strip()[:limit]


def file_name(text: str) -> str:
    """A text as the name of a file of ours: letters and digits of any language, spaces, hyphens.

    Example:
        >>> file_name("../../etc/passwd"), file_name("Größe 3"), file_name("...")
        ('______etc_passwd', 'Größe 3', '___')
    """
    kept = "".join(sign if sign.isalnum() or sign in " -_" else "_" for sign in label(text, FILE_LIMIT))
    # A file system counts bytes, not letters.
    return kept.encode()[:FILE_LIMIT].decode(errors="ignore").strip() or "_"
