using System.Buffers.Text;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Zeek's own log format: values between separators, described by header lines that start with <c>#</c>. A header may
/// come again and change, as it does in files that were put together.
/// </summary>
internal sealed class ZeekTsvParser : ILineParser
{
    private readonly ConnectionBuilder _connections = new();
    private readonly SightingBuilder _sightings = new();
    private readonly ScratchBuffer _scratch = new();
    private readonly List<KeyValuePair<string, byte[]>> _directives = [];
    private readonly int[] _starts = new int[ZeekFields.Count];
    private readonly int[] _lengths = new int[ZeekFields.Count];

    private byte[] _separator = "\t"u8.ToArray();
    private byte[] _setSeparator = ","u8.ToArray();
    private byte[] _emptyField = "(empty)"u8.ToArray();
    private byte[] _unsetField = "-"u8.ToArray();
    private ZeekField[]? _columns;
    private bool _hasNamedColumns;
    private ZeekLog _path;
    private ZeekLog _log;
    private ZeekField _setField = ZeekField.None;
    private InputHeader? _header;
    private InputHeader? _lastHeader;

    public InputHeader? Header => _header ??= InputHeader.Of(_directives.Select(d => d.Value), ref _lastHeader);

    public object? Parse(ReadOnlyMemory<byte> memory, out string? reason)
    {
        var line = memory.Span;
        reason = null;
        if (line[0] == '#')
        {
            if (!TryReadDirective(line))
                reason = "starts with '#' but is no header line of Zeek; a value that starts so is written \\x23";
            return null;
        }

        if (_columns is null)
        {
            throw new InvalidDataException(
                "a row comes before the header line '#fields', which names the columns. Keep the lines that start with '#' "
                + "(zeek-cut -c does), or export the log as JSON");
        }

        if (!TrySplit(line, out var count))
        {
            reason = $"has {count} fields where the header names {_columns.Length}";
            return null;
        }

        _scratch.Clear();
        var raw = new RawZeekRecord();
        for (var field = 0; field < ZeekFields.Count; field++)
        {
            if (_lengths[field] < 0)
                continue;
            var value = line.Slice(_starts[field], _lengths[field]);
            if (value.SequenceEqual(_unsetField) || value.SequenceEqual(_emptyField))
                continue;
            if (field == (int)_setField && !_setSeparator.AsSpan().SequenceEqual(","u8))
                value = JoinSet(value);
            if (value.Contains((byte)'\\'))
                value = Unescape(value);
            raw.Set((ZeekField)field, value);
        }

        return _log == ZeekLog.Conn ? _connections.Build(raw, out reason) : _sightings.Build(_log, raw, out reason);
    }

    private bool TrySplit(ReadOnlySpan<byte> line, out int count)
    {
        Array.Fill(_lengths, -1);
        var columns = _columns!;
        var separator = _separator.AsSpan();
        var first = separator[0];
        var start = 0;
        count = 0;
        while (true)
        {
            var rest = line[start..];
            var length = separator.Length == 1 ? rest.IndexOf(first) : rest.IndexOf(separator);
            var isLast = length < 0;
            if (isLast)
                length = rest.Length;
            if (count < columns.Length && columns[count] is var field && field != ZeekField.None)
            {
                _starts[(int)field] = start;
                _lengths[(int)field] = length;
            }

            count++;
            if (isLast)
                return count == columns.Length;
            start += length + separator.Length;
        }
    }

    private bool TryReadDirective(ReadOnlySpan<byte> line)
    {
        // This one line is separated by a space, as it is the one that tells the separator. A header begins with it.
        if (TryStrip(line, "#separator "u8, out var value))
        {
            _separator = Decode(value);
            if (_separator.Length == 0)
                throw new InvalidDataException("the header line '#separator' names nothing; Zeek writes '#separator \\x09'");
            _setSeparator = ","u8.ToArray();
            _emptyField = "(empty)"u8.ToArray();
            _unsetField = "-"u8.ToArray();
            _path = ZeekLog.Unknown;
            ForgetColumns();
            _directives.Clear();
            Keep("#separator", line);
            return true;
        }

        var end = line.IndexOf(_separator);
        var name = end < 0 ? line : line[..end];
        value = end < 0 ? [] : line[(end + _separator.Length)..];
        if (name.SequenceEqual("#fields"u8))
            ReadColumns(value);
        else if (name.SequenceEqual("#types"u8))
            ReadTypes(value);
        else if (name.SequenceEqual("#set_separator"u8))
            _setSeparator = Decode(value);
        else if (name.SequenceEqual("#empty_field"u8))
            _emptyField = Decode(value);
        else if (name.SequenceEqual("#unset_field"u8))
            _unsetField = Decode(value);
        else if (name.SequenceEqual("#path"u8))
            ReadPath(value);
        else
            return name.SequenceEqual("#open"u8) || name.SequenceEqual("#close"u8);
        Keep(System.Text.Encoding.ASCII.GetString(name), line);
        return true;
    }

    private void Keep(string name, ReadOnlySpan<byte> line)
    {
        var known = _directives.FindIndex(d => d.Key == name);
        if (known >= 0 && line.SequenceEqual(_directives[known].Value))
            return;
        if (known >= 0)
            _directives.RemoveAt(known);
        _directives.Add(new(name, line.ToArray()));
        _header = null;
    }

    private void ForgetColumns()
    {
        _columns = null;
        _setField = ZeekField.None;
        _directives.RemoveAll(d => d.Key is "#fields" or "#types");
        _header = null;
    }

    private void ReadPath(ReadOnlySpan<byte> path)
    {
        var log = ZeekFields.FindLog(path);
        if (log == ZeekLog.Unknown)
        {
            var reason = $"this is the log '{InputValue.Show(path)}' ('#path'); accepted are the logs {ZeekFields.Logs}";
            throw new InvalidDataException(reason, _hasNamedColumns ? null : new OtherLogException());
        }

        if (log != _path && _columns is not null)
            ForgetColumns();
        _path = log;
    }

    private void ReadColumns(ReadOnlySpan<byte> names)
    {
        var isFirst = !_hasNamedColumns;
        _hasNamedColumns = true;
        var columns = new List<ZeekField>();
        uint present = 0;
        while (true)
        {
            var end = names.IndexOf(_separator);
            var name = end < 0 ? names : names[..end];
            var field = ZeekFields.Find(name);
            if (field == ZeekField.Other)
                present |= ZeekFields.Bit(field);
            if (field is ZeekField.Log or ZeekField.Other)
                field = ZeekField.None;
            if (field != ZeekField.None && columns.Contains(field))
                throw new InvalidDataException($"the header line '#fields' names {ZeekFields.NameOf(field)} twice");
            columns.Add(field);
            if (field != ZeekField.None)
                present |= ZeekFields.Bit(field);
            if (end < 0)
                break;
            names = names[(end + _separator.Length)..];
        }

        var log = _path != ZeekLog.Unknown ? _path : ZeekFields.Guess(present);
        if (log == ZeekLog.Unknown && (present & ZeekFields.Bit(ZeekField.Other)) != 0)
        {
            throw new InvalidDataException(
                $"the header line '#fields' names columns of another log of Zeek; accepted are the logs {ZeekFields.Logs}",
                isFirst ? new OtherLogException() : null);
        }

        var missing = new List<string>();
        foreach (var field in ZeekFields.RequiredOf(log))
        {
            if (!columns.Contains(field))
                missing.Add(ZeekFields.NameOf(field));
        }

        if (missing.Count > 0)
        {
            throw new InvalidDataException(
                $"the header line '#fields' does not name {string.Join(", ", missing)}, which every "
                + $"{(log is ZeekLog.Arp or ZeekLog.Dhcp ? "sighting" : "connection")} needs; "
                + "is this conn.log or dhcp.log, and is its separator the one that '#separator' names?");
        }

        _log = log == ZeekLog.Unknown ? ZeekLog.Conn : log;
        // A column of another log by the same name is none of this one's.
        _columns = [.. columns.Select(f => f != ZeekField.None && ZeekFields.Contains(_log, f) ? f : ZeekField.None)];
        _setField = ZeekField.None;
        _directives.RemoveAll(d => d.Key == "#types");
        _header = null;
    }

    private void ReadTypes(ReadOnlySpan<byte> types)
    {
        var column = _columns is null ? -1 : Array.FindIndex(_columns, f => f is ZeekField.Service or ZeekField.MessageType);
        var field = column < 0 ? ZeekField.None : _columns![column];
        for (; column > 0; column--)
        {
            var end = types.IndexOf(_separator);
            if (end < 0)
                return;
            types = types[(end + _separator.Length)..];
        }

        _setField = column == 0 && (types.StartsWith("set["u8) || types.StartsWith("vector["u8)) ? field : ZeekField.None;
    }

    private ReadOnlySpan<byte> JoinSet(ReadOnlySpan<byte> value)
    {
        if (_setSeparator.Length == 0)
            return value;
        var target = _scratch.Reserve(value.Length * 2);
        var length = 0;
        while (true)
        {
            var end = value.IndexOf(_setSeparator);
            var part = end < 0 ? value : value[..end];
            part.CopyTo(target[length..]);
            length += part.Length;
            if (end < 0)
                break;
            target[length++] = (byte)',';
            value = value[(end + _setSeparator.Length)..];
        }

        return _scratch.Commit(length);
    }

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> value)
        => _scratch.Commit(Unescape(value, _scratch.Reserve(value.Length)));

    private static byte[] Decode(ReadOnlySpan<byte> value)
    {
        var target = new byte[value.Length];
        return target[..Unescape(value, target)];
    }

    /// <summary><c>\x09</c> is a byte, <c>\\</c> a backslash; any other backslash stands for itself.</summary>
    private static int Unescape(ReadOnlySpan<byte> value, Span<byte> target)
    {
        var length = 0;
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\' && i + 3 < value.Length && value[i + 1] == 'x'
                && Utf8Parser.TryParse(value.Slice(i + 2, 2), out byte code, out var consumed, 'x') && consumed == 2)
            {
                target[length++] = code;
                i += 3;
            }
            else
            {
                target[length++] = value[i];
                if (value[i] == '\\' && i + 1 < value.Length && value[i + 1] == '\\')
                    i++;
            }
        }

        return length;
    }

    private static bool TryStrip(ReadOnlySpan<byte> line, ReadOnlySpan<byte> prefix, out ReadOnlySpan<byte> rest)
    {
        var found = line.StartsWith(prefix);
        rest = found ? line[prefix.Length..] : default;
        return found;
    }
}
