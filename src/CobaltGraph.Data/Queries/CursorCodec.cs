using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Queries;

/// <summary>
/// Positions as text that clients hand back: URL-safe base64 of version, flags, hash of the query's shape, key and HMAC.
/// </summary>
internal sealed class CursorCodec(ReadOnlyMemory<byte> key)
{
    private const byte Version = 1;
    private const byte BackwardFlag = 1;
    private const byte InclusiveFlag = 2;
    private const int HashLength = 16;
    private const int HeaderLength = 2 + HashLength;
    private const int MacLength = 16;

    // Beyond what any key needs; a longer text is refused before it is decoded.
    private const int MaxTextLength = 4096;

    private const string Accepted = "Next or Previous of a page of the same query, unchanged, or none for the first page";

    private enum Kind : byte
    {
        Null = 0,
        Time = 1,
        Integer = 2,
        Real = 3,
        Text = 4,
        Mac = 5,
        Address = 6,
        Boolean = 7,
    }

    public string Encode(QueryShape shape, CursorPosition position)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Version);
        writer.Write((byte)((position.Backward ? BackwardFlag : 0) | (position.Inclusive ? InclusiveFlag : 0)));
        writer.Write(shape.Hash().AsSpan(0, HashLength));
        writer.Write((byte)position.Key.Count);
        foreach (var value in position.Key)
            Write(writer, value);
        writer.Flush();
        writer.Write(Mac(stream.ToArray()));
        writer.Flush();
        return Base64Url.EncodeToString(stream.ToArray());
    }

    /// <exception cref="QueryFilterException">The text is no cursor of ours, or one of another query.</exception>
    public CursorPosition Decode(QueryShape shape, string text)
    {
        var bytes = text.Length is 0 or > MaxTextLength || !Base64Url.IsValid(text) ? [] : Base64Url.DecodeFromChars(text);
        if (bytes.Length < HeaderLength + 1 + MacLength)
            throw new QueryFilterException("cursor", text, "is not a cursor", Accepted);

        var signed = bytes.AsSpan(0, bytes.Length - MacLength);
        if (!CryptographicOperations.FixedTimeEquals(Mac(signed), bytes.AsSpan(bytes.Length - MacLength)) || bytes[0] != Version)
            throw new QueryFilterException("cursor", text, "was changed, or signed by another server or before a restart", Accepted);
        if (!signed[2..HeaderLength].SequenceEqual(shape.Hash().AsSpan(0, HashLength)))
            throw new QueryFilterException("cursor", text, "belongs to a query with another filter or order", Accepted);

        using var reader = new BinaryReader(new MemoryStream(bytes, HeaderLength, bytes.Length - HeaderLength - MacLength));
        var values = new object?[reader.ReadByte()];
        for (var i = 0; i < values.Length; i++)
            values[i] = Read(reader);
        return new CursorPosition((bytes[1] & BackwardFlag) != 0, (bytes[1] & InclusiveFlag) != 0, values);
    }

    private byte[] Mac(ReadOnlySpan<byte> signed) => HMACSHA256.HashData(key.Span, signed)[..MacLength];

    private static void Write(BinaryWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.Write((byte)Kind.Null); break;
            case DateTimeOffset time: writer.Write((byte)Kind.Time); writer.Write(time.UtcTicks); break;
            case int number: writer.Write((byte)Kind.Integer); writer.Write((long)number); break;
            case long number: writer.Write((byte)Kind.Integer); writer.Write(number); break;
            case float number: writer.Write((byte)Kind.Real); writer.Write(number); break;
            case string text: writer.Write((byte)Kind.Text); writer.Write(text); break;
            case MacAddress mac: writer.Write((byte)Kind.Mac); writer.Write(mac.ToInt64()); break;
            case bool flag: writer.Write((byte)Kind.Boolean); writer.Write(flag); break;
            case IPAddress address:
                var octets = address.GetAddressBytes();
                writer.Write((byte)Kind.Address);
                writer.Write((byte)octets.Length);
                writer.Write(octets);
                break;
            default: throw new ArgumentException($"A cursor cannot hold a {value.GetType()}.", nameof(value));
        }
    }

    private static object? Read(BinaryReader reader) => (Kind)reader.ReadByte() switch
    {
        Kind.Time => new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero),
        Kind.Integer => reader.ReadInt64(),
        Kind.Real => reader.ReadSingle(),
        Kind.Text => reader.ReadString(),
        Kind.Mac => new MacAddress(reader.ReadInt64()),
        Kind.Address => new IPAddress(reader.ReadBytes(reader.ReadByte())),
        Kind.Boolean => reader.ReadBoolean(),
        _ => null,
    };
}
