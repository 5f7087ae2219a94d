namespace StickyWs.TestKit;

/// <summary>Facts about lanes.</summary>
public static class Lanes
{
    public static bool IsTls(this Lane lane) => lane is Lane.InsideTls or Lane.SniffedInsideTls;

    public static bool IsSniffed(this Lane lane) => lane is Lane.RawConnection or Lane.SniffedInsideTls;
}
