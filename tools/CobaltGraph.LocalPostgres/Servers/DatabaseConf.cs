using System.Globalization;
using System.Text;

namespace CobaltGraph.LocalPostgres.Servers;

/// <summary>A connection in the INI form that the rest of CobaltGraph reads: one section <c>[database]</c>.</summary>
internal sealed record DatabaseConf(int Port, string Database, string User, string Password)
{
    public const string Host = "127.0.0.1";

    private const string Mark = "# Written by cobaltgraph up";

    /// <summary>Reads a file; null when there is none, or when it lacks what is needed.</summary>
    public static DatabaseConf? Load(string path)
    {
        if (!File.Exists(path))
            return null;
        var values = File.ReadLines(path)
            .Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries))
            .Where(pair => pair.Length == 2 && !pair[0].StartsWith('#') && !pair[0].StartsWith(';'))
            .GroupBy(pair => pair[0], StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => group.Last()[1], StringComparer.OrdinalIgnoreCase);
        return values.TryGetValue("port", out var port)
            && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && values.TryGetValue("database", out var database)
            && values.TryGetValue("user", out var user)
            && values.TryGetValue("password", out var password)
                ? new DatabaseConf(number, database, user, password)
                : null;
    }

    /// <summary>Whether a file came from <see cref="Save"/>.</summary>
    public static bool IsOurs(string path) =>
        File.Exists(path) && File.ReadLines(path).FirstOrDefault()?.StartsWith(Mark, StringComparison.Ordinal) == true;

    /// <summary>Replaces the file as a whole; only its owner may read it.</summary>
    public void Save(string path, string purpose)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"{Mark}: {purpose}\n")
            .Append("[database]\n")
            .Append(CultureInfo.InvariantCulture, $"host = {Host}\nport = {Port}\ndatabase = {Database}\nuser = {User}\npassword = {Password}\n");
        PrivateFile.Write(path, text.ToString());
    }
}

internal static class PrivateFile
{
    /// <summary>Replaces a file in one step, so that a reader finds the old or the new one; closed to other users.</summary>
    public static void Write(string path, string content)
    {
        var temporary = $"{path}.{Names.Unique()}.new";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(temporary, options))
            {
                stream.Write(Encoding.UTF8.GetBytes(content));
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new LocalPostgresException($"{path} cannot be written: {failure.Message}", failure);
        }
    }
}
