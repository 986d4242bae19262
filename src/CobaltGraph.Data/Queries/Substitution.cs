using System.Linq.Expressions;

namespace CobaltGraph.Data.Queries;

/// <summary>Puts expressions in the place of parameters.</summary>
internal sealed class Substitution(IReadOnlyList<ParameterExpression> parameters, IReadOnlyList<Expression> replacements) : ExpressionVisitor
{
    protected override Expression VisitParameter(ParameterExpression node)
    {
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i] == node)
                return replacements[i];
        }

        return node;
    }
}
