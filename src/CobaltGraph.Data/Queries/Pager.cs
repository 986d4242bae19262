namespace CobaltGraph.Data.Queries;

/// <summary>One request for a page of one query: where it begins, and what to make of the rows that were read.</summary>
internal sealed class Pager
{
    private readonly CursorCodec _codec;
    private readonly QueryShape _shape;
    private readonly int _limit;

    /// <exception cref="QueryFilterException">The limit is out of bounds, or the cursor is not one of this query.</exception>
    public Pager(CursorCodec codec, QueryShape shape, PageRequest? request)
    {
        request ??= new PageRequest();
        request.Check();
        _codec = codec;
        _shape = shape;
        _limit = request.Limit;
        Position = request.Cursor is null ? null : codec.Decode(shape, request.Cursor);
    }

    /// <summary>Where the page begins; null for the first page.</summary>
    public CursorPosition? Position { get; }

    /// <summary>Whether rows are to be read against the shown order, beginning with the last.</summary>
    public bool Backward => Position?.Backward ?? false;

    /// <summary>Rows to read: one more than is shown tells whether more follow.</summary>
    public int Take => _limit + 1;

    /// <summary>Makes the page of the rows that were read, at most <see cref="Take"/> in the direction of reading.</summary>
    public Page<T> Cut<T>(List<T> rows, Func<T, object?[]> keyOf)
    {
        var more = rows.Count > _limit;
        if (more)
            rows.RemoveRange(_limit, rows.Count - _limit);
        if (Backward)
            rows.Reverse();

        return new Page<T>
        {
            Items = rows,
            Next = (Backward || more) ? Cursor(rows, backward: false, keyOf) : null,
            Previous = (Backward ? more : Position is not null) ? Cursor(rows, backward: true, keyOf) : null,
        };
    }

    private string Cursor<T>(List<T> rows, bool backward, Func<T, object?[]> keyOf)
    {
        // With no row to stand on, the way back begins where this page began, and takes the row there that the way here left out.
        var position = rows.Count == 0
            ? new CursorPosition(backward, !Position!.Inclusive, Position.Key)
            : new CursorPosition(backward, Inclusive: false, keyOf(backward ? rows[0] : rows[^1]));
        return _codec.Encode(_shape, position);
    }
}
