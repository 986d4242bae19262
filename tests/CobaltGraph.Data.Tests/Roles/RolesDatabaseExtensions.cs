using CobaltGraph.Testing;
using Npgsql;

namespace CobaltGraph.Data.Tests.Roles;

internal static class RolesDatabaseExtensions
{
    /// <summary>Runs statements that the server must refuse for want of a right.</summary>
    public static async Task<PostgresException> RefusedAsync(this RolesDatabase roles, string login, string schema, string sql)
    {
        var error = await Assert.ThrowsAsync<PostgresException>(() => roles.TryAsync(login, schema, sql));
        Assert.True(
            error.SqlState == PostgresErrorCodes.InsufficientPrivilege,
            $"{error.SqlState} {error.MessageText}, expected a missing right: {sql}");
        return error;
    }
}
