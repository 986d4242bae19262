using System.Buffers.Text;
using CobaltGraph.Model;

namespace CobaltGraph.Data.Import;

/// <summary>
/// Zeek's own log format: values between separators, described by header lines that start with <c>#</c>. A header may
/// come again and change, as it does in files that were put together.
/// </summary>
internal sealed class ZeekTsvParser : ILineParser
{
    private readonly ConnectionBuilder _builder = new();
    private readonly ScratchBuffer _scratch = new();
    private readonly int[] _starts = new int[ZeekFields.Count];
    private readonly int[] _lengths = new int[ZeekFields.Count];

    private byte[] _separator = "\t"u8.ToArray();
    private byte[] _setSeparator = ","u8.ToArray();
    private byte[] _emptyField = "(empty)"u8.ToArray();
    private byte[] _unsetField = "-"u8.ToArray();
    private ZeekField[]? _columns;
    private bool _isServiceASet;

    public Connection? Parse(ReadOnlySpan<byte> line, out string? reason)
    {
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
        var raw = new RawConnection();
        for (var field = 0; field < ZeekFields.Count; field++)
        {
            if (_lengths[field] < 0)
                continue;
            var value = line.Slice(_starts[field], _lengths[field]);
            if (value.SequenceEqual(_unsetField) || value.SequenceEqual(_emptyField))
                continue;
            if (field == (int)ZeekField.Service && _isServiceASet && !_setSeparator.AsSpan().SequenceEqual(","u8))
                value = JoinSet(value);
            if (value.Contains((byte)'\\'))
                value = Unescape(value);
            raw.Set((ZeekField)field, value);
        }

        return _builder.Build(raw, out reason);
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
        // This one line is separated by a space, as it is the one that tells the separator.
        if (TryStrip(line, "#separator "u8, out var value))
        {
            _separator = Decode(value);
            if (_separator.Length == 0)
                throw new InvalidDataException("the header line '#separator' names nothing; Zeek writes '#separator \\x09'");
            _columns = null;
            _isServiceASet = false;
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
            CheckPath(value);
        else
            return name.SequenceEqual("#open"u8) || name.SequenceEqual("#close"u8);
        return true;
    }

    private static void CheckPath(ReadOnlySpan<byte> path)
    {
        if (!path.SequenceEqual("conn"u8))
        {
            throw new InvalidDataException(
                $"this is the log '{ConnectionBuilder.Show(path)}' ('#path'), not the connection log 'conn'; import conn.log");
        }
    }

    private void ReadColumns(ReadOnlySpan<byte> names)
    {
        var columns = new List<ZeekField>();
        while (true)
        {
            var end = names.IndexOf(_separator);
            var name = end < 0 ? names : names[..end];
            var field = ZeekFields.Find(name);
            if (field == ZeekField.Log)
                field = ZeekField.None;
            if (field != ZeekField.None && columns.Contains(field))
                throw new InvalidDataException($"the header line '#fields' names {ZeekFields.NameOf(field)} twice");
            columns.Add(field);
            if (end < 0)
                break;
            names = names[(end + _separator.Length)..];
        }

        var missing = ZeekFields.Required.Where(f => !columns.Contains(f)).Select(ZeekFields.NameOf).ToList();
        if (missing.Count > 0)
        {
            throw new InvalidDataException(
                $"the header line '#fields' does not name {string.Join(", ", missing)}, which every connection needs; "
                + "is this conn.log, and is its separator the one that '#separator' names?");
        }

        _columns = [.. columns];
        _isServiceASet = false;
    }

    private void ReadTypes(ReadOnlySpan<byte> types)
    {
        var service = _columns is null ? -1 : Array.IndexOf(_columns, ZeekField.Service);
        for (; service > 0; service--)
        {
            var end = types.IndexOf(_separator);
            if (end < 0)
                return;
            types = types[(end + _separator.Length)..];
        }

        _isServiceASet = service == 0 && (types.StartsWith("set["u8) || types.StartsWith("vector["u8));
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
