using System.Security.Cryptography;
using CobaltGraph.Data;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace CobaltGraph.Testing;

/// <summary>The product's own schema, as tests put it into a database.</summary>
internal static class Schema
{
    /// <summary>Changes whenever the code or the embedded SQL that makes the schema does.</summary>
    public static string Fingerprint { get; } = ComputeFingerprint();

    public static CobaltGraphContext NewContext(NpgsqlDataSource dataSource)
    {
        var options = new DbContextOptionsBuilder<CobaltGraphContext>();
        options.UseCobaltGraph(dataSource);
        return new CobaltGraphContext(options.Options);
    }

    public static async Task ApplyAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var context = NewContext(dataSource);
        await context.Database.MigrateAsync(cancellationToken);
    }

    private static string ComputeFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var type in (Type[])[typeof(CobaltGraphContext), typeof(Device), typeof(Schema)])
            hash.AppendData(File.ReadAllBytes(type.Assembly.Location));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
