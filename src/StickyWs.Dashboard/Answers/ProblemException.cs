namespace StickyWs.Dashboard.Answers;

/// <summary>Ends a request with a problem, from wherever it is found.</summary>
#pragma warning disable CA1032 // Thrown with a problem only.
internal sealed class ProblemException(Problem problem) : Exception(problem.Detail)
#pragma warning restore CA1032
{
    public Problem Problem => problem;
}
