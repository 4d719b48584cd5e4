"""A session of any connector in one of its folders, for the length of a test."""

from __future__ import annotations


class OpenedFolder:
    """A session in a folder, closed at the end."""

    def __init__(self, made, folder=0):
        self.made = made
        self.folder = folder

    async def __aenter__(self):
        self.session = await self.made.open()
        try:
            self.state = await self.session.select((await self.session.folders())[self.folder])
        except BaseException:
            await self.session.close()
            raise
        return self.session

    async def __aexit__(self, *_):
        await self.session.close()


async def uids(session, first=1):
    """Our numbers of what one look finds."""
    return [message.location.uid for message in await session.fetch_since(first)]
