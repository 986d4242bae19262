using System.Reflection;
using CobaltGraph.Model;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query;

namespace CobaltGraph.Data.Queries;

/// <summary>Translates the metadata records' <c>Text(path)</c>, for keys that C# does not know, to <c>#>></c>.</summary>
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
            if (instance is null || method.Name != "Text" || method.DeclaringType?.Assembly != typeof(Device).Assembly)
                return null;

            var text = typeMappings.FindMapping(typeof(string))!;
            return arguments is [SqlConstantExpression { Value: string[] path }]
                ? ((NpgsqlSqlExpressionFactory)sql).JsonTraversal(
                    instance,
                    path.Select(key => sql.Constant(key)),
                    returnsText: true,
                    typeof(string),
                    text)
                : null;
        }
    }
}
