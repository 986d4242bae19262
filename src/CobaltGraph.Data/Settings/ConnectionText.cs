using System.ComponentModel;
using System.Data.Common;
using Npgsql;

namespace CobaltGraph.Data;

/// <summary>Reads a connection that was written as one text. No message holds any part of that text that could
/// belong to a password.</summary>
internal static class ConnectionText
{
    private const string Forms = "Write Host=…;Database=…;Username=… or postgresql://user@host:5432/database.";

    public static NpgsqlConnectionStringBuilder Parse(string text, string name)
    {
        if (string.IsNullOrWhiteSpace(text)) throw Invalid(name, "The connection is empty.", Forms);

        text = text.Trim();
        var builder = PostgresUri.IsUri(text) ? PostgresUri.Parse(text, name) : ParseKeywords(text, name);

        if (string.IsNullOrEmpty(builder.Host))
        {
            throw Invalid(
                name, "The connection names no host.",
                "Add Host=…, or in a URI the host after //; a folder such as /var/run/postgresql is a local socket.");
        }

        if (builder.Port is < 1 or > 65535)
            throw Invalid(name, "The value is not a port.", "Give a whole number from 1 to 65535.", "Port");

        if (builder.Password?.StartsWith("CHANGE_ME", StringComparison.OrdinalIgnoreCase) == true)
        {
            throw Invalid(
                name, "The password is still the placeholder of an example.", "Put the real password there.",
                "password");
        }

        return builder;
    }

    private static NpgsqlConnectionStringBuilder ParseKeywords(string text, string name)
    {
        var pairs = new DbConnectionStringBuilder();
        try
        {
            pairs.ConnectionString = text;
        }
        catch (ArgumentException e)
        {
            throw Invalid(name, "The text is not a connection string.", Forms, inner: e);
        }

        var builder = new NpgsqlConnectionStringBuilder();
        foreach (string key in pairs.Keys!)
        {
            try
            {
                builder[key] = pairs[key];
            }
            catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException
                or OverflowException or NotSupportedException)
            {
                throw Explain(key, name);
            }
        }

        // libpq separates by blanks: everything would end up in the first value.
        if (builder.Host is { } host && host.Contains('=', StringComparison.Ordinal))
            throw Invalid(name, "Keywords are separated by semicolons, not by blanks.", Forms);

        return builder;
    }

    // The exception is not passed on: its message may quote the value. The key is quoted only when it is one, for an
    // unquoted semicolon in a password makes a key of the password's end.
    private static DatabaseSettingsException Explain(string key, string name)
    {
        if (new NpgsqlConnectionStringBuilder().ContainsKey(key))
            return Invalid(name, "The value cannot be used.", "See npgsql.org/doc/connection-string-parameters.", key);

        var known = TypeDescriptor.GetProperties(new NpgsqlConnectionStringBuilder(), noCustomTypeDesc: true)
            .Cast<PropertyDescriptor>()
            .Select(property => property.DisplayName);
        return NearestName.Find(key, known) is { } near
            ? Invalid(name, "There is no such keyword.", $"Did you mean {near}?", key)
            : Invalid(
                name, "One of the keywords is unknown.",
                "Check their spelling; a password that holds ; or = is written in quotes: Password='…'.");
    }

    internal static DatabaseSettingsException Invalid(
        string name, string what, string remedy, string? key = null, Exception? inner = null)
        => new(DatabaseSettingsProblem.Invalid, what, remedy, name, key: key, innerException: inner);
}
