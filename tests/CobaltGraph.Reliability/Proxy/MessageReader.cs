using System.Buffers;
using System.Buffers.Binary;

namespace CobaltGraph.Reliability.Proxy;

/// <summary>Cuts one direction of a connection into messages.</summary>
internal sealed class MessageReader(Direction direction)
{
    private const int MaxBytes = 256 * 1024 * 1024;
    private const int SslRequest = 80_877_103, GssRequest = 80_877_104, CancelRequest = 80_877_102;

    private bool _started;
    private int _answers;

    /// <summary>The server will answer a request for encryption by a bare byte.</summary>
    public void ExpectAnswer() => _answers++;

    /// <summary>Takes the next whole message off the front of what was read.</summary>
    /// <param name="buffer">What was read; what is left of it afterwards.</param>
    /// <param name="message">All bytes of the message.</param>
    /// <param name="type">Its type, as <see cref="ProxyMessage.Type"/>.</param>
    /// <param name="headerBytes">How many of them stand before the body.</param>
    /// <exception cref="InvalidDataException">These are no messages.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> message, out char type, out int headerBytes)
    {
        message = default;
        type = default;
        headerBytes = default;
        if (buffer.IsEmpty)
            return false;

        if (direction == Direction.ToClient && _answers > 0)
        {
            _answers--;
            type = ProxyMessage.Answer;
            return Take(ref buffer, 1, out message);
        }

        var typeBytes = direction == Direction.ToServer && !_started ? 0 : 1;
        headerBytes = typeBytes + 4;
        if (buffer.Length < headerBytes)
            return false;
        Span<byte> header = stackalloc byte[headerBytes];
        buffer.Slice(0, headerBytes).CopyTo(header);
        var length = BinaryPrimitives.ReadInt32BigEndian(header[typeBytes..]);
        if (length is < 4 or > MaxBytes)
            throw new InvalidDataException($"A message to the {direction} says it has {length} bytes.");
        if (buffer.Length < typeBytes + length)
            return false;

        type = typeBytes == 0 ? ProxyMessage.Startup : (char)header[0];
        Take(ref buffer, typeBytes + length, out message);
        if (typeBytes == 0)
            _started = CodeOf(message) is not (SslRequest or GssRequest or CancelRequest);
        return true;
    }

    /// <summary>Whether a message of type <see cref="ProxyMessage.Startup"/> asks for encryption.</summary>
    public static bool AsksForEncryption(ReadOnlySequence<byte> message) => CodeOf(message) is SslRequest or GssRequest;

    private static int CodeOf(ReadOnlySequence<byte> message)
    {
        if (message.Length < 8)
            return 0;
        Span<byte> code = stackalloc byte[4];
        message.Slice(4, 4).CopyTo(code);
        return BinaryPrimitives.ReadInt32BigEndian(code);
    }

    private static bool Take(ref ReadOnlySequence<byte> buffer, int count, out ReadOnlySequence<byte> taken)
    {
        taken = buffer.Slice(0, count);
        buffer = buffer.Slice(count);
        return true;
    }
}
