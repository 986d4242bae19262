using System.Reflection;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Expressions.Internal;

namespace CobaltGraph.Data.Queries;

/// <summary>Translates the metadata records' <c>Text(path)</c>, for keys that C# does not know, to <c>#>></c>.</summary>
#pragma warning disable EF1001 // The provider has no public expression for an array of keys.
internal sealed class MetadataTranslatorPlugin(
    ISqlExpressionFactory sql,
    IRelationalTypeMappingSource typeMappings)
    : IMethodCallTranslatorPlugin
{
    public IEnumerable<IMethodCallTranslator> Translators { get; } = [new Translator(sql, typeMappings)];

    private sealed class Translator(ISqlExpressionFactory sql, IRelationalTypeMappingSource typeMappings)
        : IMethodCallTranslator
    {
        public SqlExpression? Translate(
            SqlExpression? instance,
            MethodInfo method,
            IReadOnlyList<SqlExpression> arguments,
            IDiagnosticsLogger<DbLoggerCategory.Query> logger)
        {
            if (instance is null || method.Name != nameof(MetadataRecord.Text) || method.DeclaringType != typeof(MetadataRecord))
                return null;

            var text = typeMappings.FindMapping(typeof(string))!;
            var path = arguments[0] switch
            {
                SqlConstantExpression { Value: string[] keys } => keys.Select(key => (SqlExpression)sql.Constant(key, text)),
                PgNewArrayExpression array => array.Expressions.Select(key => sql.ApplyTypeMapping(key, text)),
                _ => null,
            };
            return path is null
                ? null
                : ((NpgsqlSqlExpressionFactory)sql).JsonTraversal(instance, path, returnsText: true, typeof(string), text);
        }
    }
}
