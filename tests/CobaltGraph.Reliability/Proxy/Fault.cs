namespace CobaltGraph.Reliability.Proxy;

/// <summary>What happens to a connection.</summary>
public enum FaultMode
{
    /// <summary>Cut: the client gets a reset, the server sees the connection end.</summary>
    Reset,

    /// <summary>Nothing passes any more, and nobody is told: the server's session stays until it notices by itself.</summary>
    Blackhole,

    /// <summary>The message waits, then all goes on.</summary>
    Delay,

    /// <summary>
    /// The server gets the message and does what it says, the client gets no answer but the end of the connection.
    /// </summary>
    DropReply,
}

/// <summary>On which side of the message the fault happens.</summary>
public enum FaultMoment
{
    /// <summary>The message is lost.</summary>
    Before,

    /// <summary>The message arrives, nothing after it does.</summary>
    After,
}

/// <summary>A fault and the message that sets it off.</summary>
public sealed record FaultRule
{
    /// <summary>Which way the message goes.</summary>
    public required Direction Direction { get; init; }

    /// <summary>Its type; null: any.</summary>
    public char? Type { get; init; }

    /// <summary>Text that occurs in it as a word or words; null: any.</summary>
    public string? Text { get; init; }

    /// <summary>Which of the messages that match, counted from 1 over all connections since the rule was armed.</summary>
    public int Nth { get; init; } = 1;

    /// <summary>How many messages from the <see cref="Nth"/> on set it off; the rest passes.</summary>
    public int Times { get; init; } = 1;

    /// <summary>Which side of the message. For <see cref="FaultMode.DropReply"/> to the server always after.</summary>
    public FaultMoment Moment { get; init; }

    /// <summary>What happens.</summary>
    public required FaultMode Mode { get; init; }

    /// <summary>How long <see cref="FaultMode.Delay"/> holds the message.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(200);

    internal bool Matches(ProxyMessage message)
        => message.Direction == Direction
            && (Type is null || message.Type == Type)
            && (Text is null || message.Contains(Text));
}

/// <summary>A rule in force.</summary>
public sealed class Fault
{
    private int _matched;
    private int _fired;

    internal Fault(FaultRule rule) => Rule = rule;

    /// <summary>The rule.</summary>
    public FaultRule Rule { get; }

    /// <summary>Messages that matched so far.</summary>
    public int Matched => Volatile.Read(ref _matched);

    /// <summary>How often the fault really happened. A test whose fault did not happen has tested nothing.</summary>
    public int Fired => Volatile.Read(ref _fired);

    /// <summary>The message at which it last happened.</summary>
    public TracedMessage? FiredOn { get; private set; }

    internal bool Meets(ProxyMessage message)
    {
        if (!Rule.Matches(message))
            return false;
        var number = Interlocked.Increment(ref _matched);
        if (number < Rule.Nth || number >= Rule.Nth + Rule.Times)
            return false;
        FiredOn = TracedMessage.Of(message);
        Interlocked.Increment(ref _fired);
        return true;
    }
}
