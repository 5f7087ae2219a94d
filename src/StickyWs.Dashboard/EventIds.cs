namespace StickyWs.Dashboard;

/// <summary>The ids of all log events: the block after those of StickyWs.Redis.</summary>
internal static class EventIds
{
    public const int Steered = 1100;
    public const int SteerRefused = 1101;
    public const int LocalOnly = 1102;
    public const int EventsFailed = 1103;
    public const int RoutedTooLate = 1104;
}
