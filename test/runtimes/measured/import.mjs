// Only imports.
import "simdgrad";
