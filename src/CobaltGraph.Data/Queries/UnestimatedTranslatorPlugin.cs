using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace CobaltGraph.Data.Queries;

/// <summary>Translates <see cref="Unestimated.Holds"/>.</summary>
internal sealed class UnestimatedTranslatorPlugin(ISqlExpressionFactory sql) : IMethodCallTranslatorPlugin
{
    public IEnumerable<IMethodCallTranslator> Translators { get; } = [new Translator(sql)];

    private sealed class Translator(ISqlExpressionFactory sql) : IMethodCallTranslator
    {
        public SqlExpression? Translate(
            SqlExpression? instance,
            MethodInfo method,
            IReadOnlyList<SqlExpression> arguments,
            IDiagnosticsLogger<DbLoggerCategory.Query> logger)
            => method.DeclaringType == typeof(Unestimated) && method.Name == nameof(Unestimated.Holds)
                ? sql.Function(
                    "booleq", [arguments[0], sql.Constant(true)], nullable: false, argumentsPropagateNullability: [false, false], typeof(bool))
                : null;
    }
}
