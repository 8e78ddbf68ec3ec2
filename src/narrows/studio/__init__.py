"""The studio: a page on which an autoencoder is seen at work. A server that is always quick, and children that compute.

    browser <- http and one WebSocket -> server <- pipes -> trainer, bench and parse children

Nothing here imports torch but `child` and what it imports; the server never does.
"""
