namespace CobaltGraph.Data.Schema;

internal enum SqlObjectKind
{
    Function,
    Trigger,
    View,
}
