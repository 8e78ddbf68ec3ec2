"""Files that were given: told apart by their first bytes, read in a child with narrow limits, and written anew.

    bytes -> format by its magic -> child: limits set, header checked, read -> our own copy -> facts and a preview

What comes out was written by us: pictures as PNG, sounds as WAV, arrays as .npy; names are labels and never paths.
"""
