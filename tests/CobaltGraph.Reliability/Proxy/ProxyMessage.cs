using System.Text;

namespace CobaltGraph.Reliability.Proxy;

/// <summary>Which way a message goes.</summary>
public enum Direction
{
    /// <summary>From the client to the server.</summary>
    ToServer,

    /// <summary>From the server to the client.</summary>
    ToClient,
}

/// <summary>One message of the PostgreSQL protocol.</summary>
/// <param name="Link">The connection, numbered from 1 in the order of their opening.</param>
/// <param name="Direction">Which way it goes.</param>
/// <param name="Type">
/// The letter of the protocol, such as Q (query) or d (copy data); <see cref="Startup"/> for the first messages of a
/// client, which have none, and <see cref="Answer"/> for the one byte that answers a request for encryption.
/// </param>
/// <param name="Body">What follows the length. Valid only while the message is looked at.</param>
public readonly record struct ProxyMessage(int Link, Direction Direction, char Type, ReadOnlyMemory<byte> Body)
{
    /// <summary>Stands for the type of a message that has none: startup, request for encryption, cancellation.</summary>
    public const char Startup = '^';

    /// <summary>Stands for the type of the server's bare byte.</summary>
    public const char Answer = '!';

    private const int ExcerptBytes = 200;

    /// <summary>Whether the text occurs in the message as a word or words: COMMIT does not occur in READ COMMITTED.</summary>
    public bool Contains(string text) => Contains(Body.Span, text);

    internal static bool Contains(ReadOnlySpan<byte> body, string text)
    {
        ReadOnlySpan<byte> wanted = Encoding.UTF8.GetBytes(text);
        for (var from = 0; body[from..].IndexOf(wanted) is >= 0 and var at; from += at + 1)
        {
            var (first, after) = (from + at, from + at + wanted.Length);
            if ((first == 0 || !IsPartOfWord(body[first - 1])) && (after == body.Length || !IsPartOfWord(body[after])))
                return true;
        }

        return false;

        static bool IsPartOfWord(byte b) => b == '_' || char.IsAsciiLetterOrDigit((char)b);
    }

    /// <summary>The beginning, printable.</summary>
    public string Excerpt()
    {
        var text = Encoding.UTF8.GetString(Body.Span[..Math.Min(Body.Length, ExcerptBytes)]);
        return string.Concat(text.Select(c => char.IsControl(c) || c == '\uFFFD' ? '·' : c));
    }
}

/// <summary>A message that passed, as a trace keeps it.</summary>
/// <param name="Link">The connection, numbered from 1 in the order of their opening.</param>
/// <param name="Direction">Which way it went.</param>
/// <param name="Type">Its type, as <see cref="ProxyMessage.Type"/>.</param>
/// <param name="Length">Bytes of its body.</param>
/// <param name="Text">Its beginning, printable.</param>
public sealed record TracedMessage(int Link, Direction Direction, char Type, int Length, string Text)
{
    /// <inheritdoc cref="ProxyMessage.Contains(string)"/>
    /// <remarks>Sees no more than the beginning.</remarks>
    public bool Contains(string text) => ProxyMessage.Contains(Encoding.UTF8.GetBytes(Text), text);

    internal static TracedMessage Of(ProxyMessage message)
        => new(message.Link, message.Direction, message.Type, message.Body.Length, message.Excerpt());
}
