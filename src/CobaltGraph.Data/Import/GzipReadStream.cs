using System.Buffers.Binary;
using System.IO.Compression;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Unpacks gzip and tells what <see cref="GZipStream"/> passes over in silence: a file that is cut, bytes that follow
/// the packed data, and a compression bomb. Every complete byte before the fault is delivered first.
/// </summary>
/// <remarks>
/// <see cref="DeflateStream"/> does not say where the packed data ended within the last bytes it took, so the trailer,
/// which is known by then (checksum and length), is searched for there.
/// </remarks>
internal sealed class GzipReadStream(PeekableStream packed, int maxExpansionRatio, long expansionAllowance) : ReadOnlyStream
{
    private const int HeaderLength = 10;
    private const int TrailerLength = 8;

    private DeflateStream? _member;
    private bool _hasMember;
    private uint _crc;
    private uint _memberLength;
    private long _unpacked;

    public static bool IsGzip(ReadOnlySpan<byte> start) => start.Length >= 2 && start[0] == 0x1F && start[1] == 0x8B;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        while (true)
        {
            if (_member is null && !await OpenMemberAsync(cancellationToken).ConfigureAwait(false))
                return 0;

            int read;
            try
            {
                read = await _member!.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch (InvalidDataException e) when (!packed.HasReportedEnd)
            {
                throw new InvalidDataException(
                    $"the gzip data is damaged near byte {packed.Consumed} of the file; unpack what is left with a "
                    + "repair tool, or copy the file from its source again", e);
            }
            catch (InvalidDataException e)
            {
                throw Cut(e);
            }

            if (read > 0)
            {
                _crc = Crc32.Append(_crc, buffer.Span[..read]);
                _memberLength = unchecked(_memberLength + (uint)read);
                _unpacked += read;
                if (_unpacked > expansionAllowance && _unpacked / maxExpansionRatio > packed.Consumed)
                {
                    throw new InvalidDataException(
                        $"{packed.Consumed} bytes of gzip unpack to more than {_unpacked} bytes: over {maxExpansionRatio} "
                        + "times as much, which no log does. If the file is to be trusted, unpack it first and import the result");
                }

                return read;
            }

            if (packed.HasReportedEnd)
                throw Cut(null);
            await CloseMemberAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _member?.Dispose();
        base.Dispose(disposing);
    }

    private static InvalidDataException Cut(Exception? cause)
        => new("the gzip data ends in the middle: the file is cut or still being written. Its complete lines were read; "
               + "import the whole file once it is there", cause);

    private async ValueTask<bool> OpenMemberAsync(CancellationToken cancellationToken)
    {
        var next = await packed.PeekAsync(HeaderLength, cancellationToken).ConfigureAwait(false);

        // Tapes and block devices pad with zeros, and gzip itself lets that pass.
        while (_hasMember && !next.IsEmpty && next.Span[0] == 0)
        {
            var zeros = next.Span.IndexOfAnyExcept((byte)0);
            packed.Skip(zeros < 0 ? next.Length : zeros);
            next = await packed.PeekAsync(HeaderLength, cancellationToken).ConfigureAwait(false);
        }

        if (_hasMember && next.IsEmpty)
            return false;
        if (!IsGzip(next.Span))
        {
            throw new InvalidDataException(
                $"at byte {packed.Consumed} the gzip data is over and something else follows; what came before was read. "
                + "Remove what follows, or copy the file from its source again");
        }

        if (next.Length < HeaderLength)
            throw Cut(null);
        var (method, flags) = (next.Span[2], next.Span[3]);
        if (method != 8 || (flags & 0xE0) != 0)
            throw new InvalidDataException("the file starts like gzip but uses a method that no gzip knows; it is damaged");

        packed.Skip(HeaderLength);
        if ((flags & 0x04) != 0)
        {
            var length = await PeekHeaderAsync(2, cancellationToken).ConfigureAwait(false);
            var extra = BinaryPrimitives.ReadUInt16LittleEndian(length.Span);
            packed.Skip(2);
            for (var left = (int)extra; left > 0;)
            {
                var part = await PeekHeaderAsync(1, cancellationToken).ConfigureAwait(false);
                var count = Math.Min(left, part.Length);
                packed.Skip(count);
                left -= count;
            }
        }

        if ((flags & 0x08) != 0)
            await SkipTextAsync(cancellationToken).ConfigureAwait(false);
        if ((flags & 0x10) != 0)
            await SkipTextAsync(cancellationToken).ConfigureAwait(false);
        if ((flags & 0x02) != 0)
        {
            await PeekHeaderAsync(2, cancellationToken).ConfigureAwait(false);
            packed.Skip(2);
        }

        _member = new DeflateStream(packed, CompressionMode.Decompress, leaveOpen: true);
        _hasMember = true;
        _crc = 0;
        _memberLength = 0;
        return true;
    }

    private async ValueTask<ReadOnlyMemory<byte>> PeekHeaderAsync(int count, CancellationToken cancellationToken)
    {
        var next = await packed.PeekAsync(count, cancellationToken).ConfigureAwait(false);
        return next.Length < count ? throw Cut(null) : next;
    }

    /// <summary>Skips a name or comment of the header, which ends with a zero byte.</summary>
    private async ValueTask SkipTextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var part = await PeekHeaderAsync(1, cancellationToken).ConfigureAwait(false);
            var end = part.Span.IndexOf((byte)0);
            packed.Skip(end < 0 ? part.Length : end + 1);
            if (end >= 0)
                return;
        }
    }

    private async ValueTask CloseMemberAsync(CancellationToken cancellationToken)
    {
        await _member!.DisposeAsync().ConfigureAwait(false);
        _member = null;

        var trailer = new byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(4), _memberLength);

        var taken = packed.Unread();
        var rest = await packed.PeekAsync(taken + TrailerLength, cancellationToken).ConfigureAwait(false);
        var found = rest.Span[..Math.Min(rest.Length, taken + TrailerLength)].IndexOf(trailer);
        if (found >= 0)
        {
            packed.Skip(found + TrailerLength);
            return;
        }

        throw new InvalidDataException(
            "the gzip data does not end with its checksum: the file is cut or damaged, and what was read from it may be "
            + "damaged too. Copy it from its source again");
    }
}
